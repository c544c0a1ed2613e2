"""The one error of this package."""


class FrameError(ValueError):
    """Bytes are no valid frame, or a frame cannot be written as bytes.

    Nothing else leaves a decoder, whatever the bytes.
    """
