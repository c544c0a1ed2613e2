"""The error of this package."""


class FrameError(ValueError):
    """Bytes are no valid frame, or a frame cannot be written as bytes.

    Decoders raise no other error, whatever the bytes.
    """
