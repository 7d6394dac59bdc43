"""Pictures: the decoder, header checks and measures."""

from icf.images.decoder import Picture, decode, encode_jpeg, jpeg_url, reduced
from icf.images.header import Header, Undecodable, probe

__all__ = [
    "Header",
    "Picture",
    "Undecodable",
    "decode",
    "encode_jpeg",
    "jpeg_url",
    "probe",
    "reduced",
]
