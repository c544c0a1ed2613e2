"""Container images, made from Debian packages and Go modules, or pulled."""

from lab.images.node import node_image

__all__ = ["node_image"]
