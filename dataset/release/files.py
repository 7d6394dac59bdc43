"""The names of the files that every release has, whatever its formats."""

from __future__ import annotations

from icf.icartoonface.revoked import REVOKED

#: What the release is made from, with counts, settings and models.
SUMMARY = "release.json"
#: What was searched between train and test.
LEAKS = "leaks.json"
#: The hash of every other file.
SUMS = "SHA256SUMS"
#: Where each picture was found, and its licences.
LICENCES = "licences.csv"
#: What is known of the faces beside who they are; only where something is.
ATTRIBUTES = "attributes.csv"
#: The confirmed faces that are in no part.
UNUSED = "unused.csv"
#: What releases before it had and it has not; only where it came after one.
EARLIER = "earlier.csv"
CERTIFICATE = "certificate.json"
#: Which pictures of a release of the format ``relink`` were downloaded.
RELINKED = "relinked.csv"
#: What a takedown deleted from it.
TAKEN_DOWN = "taken_down.json"

#: Of the workspace that wrote it, for `icf release clean`.
PUBLIC_KEY = "takedowns.pub"

#: Files that may come after a release was written, and are in no `SUMS`.
LATER = (TAKEN_DOWN, REVOKED)

#: A change of many files that is made as soon as it is complete.
CLEANING = ".cleaning"
