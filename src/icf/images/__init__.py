"""Pictures: the one decoder of the program."""

from icf.images.decoder import Picture, decode, for_people, reduced
from icf.images.header import Header, Undecodable, probe

__all__ = [
    "Header",
    "Picture",
    "Undecodable",
    "decode",
    "for_people",
    "probe",
    "reduced",
]
