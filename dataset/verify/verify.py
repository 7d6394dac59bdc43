"""Check a release from its files alone: no catalogue, no network, nothing else."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from icf.dataset.cards.croissant import FILE as CROISSANT
from icf.dataset.contents import FILE as CONTENTS
from icf.dataset.contents import Contents, read_contents
from icf.dataset.formats.beside import CROPS, TURNED
from icf.dataset.formats.checked import (
    MISSING,
    UNEXPECTED,
    Checker,
    Fault,
    ReleaseFiles,
)
from icf.dataset.formats.checks.turned import check_turned, trail_of
from icf.dataset.formats.registry import (
    RELINK,
    format_folders,
    format_names,
    make_writers,
)
from icf.dataset.release.files import (
    ATTRIBUTES,
    CERTIFICATE,
    CLEANING,
    EARLIER,
    LEAKS,
    LICENCES,
    SUMMARY,
    SUMS,
    TAKEN_DOWN,
    UNUSED,
)
from icf.dataset.release.known import parse_summary
from icf.dataset.release.present import (
    NOT_PLAIN,
    check_sums,
    hash_all,
    read_licences,
    taken_down,
)
from icf.dataset.release.sums import links_below, others_below, read_sums
from icf.dataset.verify.attributes import check_attributes
from icf.dataset.verify.beside import check_beside
from icf.dataset.verify.capped import NAMED, Capped
from icf.dataset.verify.described import check_described
from icf.dataset.verify.earlier import check_earlier
from icf.dataset.verify.hub import check_hub
from icf.dataset.verify.leaks import check_leaks
from icf.dataset.verify.pictures import check_pictures
from icf.dataset.verify.tables import (
    check_certificate,
    check_counts,
    check_left,
    check_licences,
    check_twice,
    check_unused,
    shown_in,
)
from icf.errors import BadInput, WrongUse
from icf.icartoonface.revoked import REVOKED, revocation

Advance = Callable[[int], None]

#: What a release says of itself, and that is read before anything can be checked.
_READ = (
    *(CONTENTS, EARLIER, LEAKS, LICENCES, REVOKED),
    *(SUMMARY, SUMS, TAKEN_DOWN, UNUSED),
)


@dataclass(frozen=True)
class Verified:
    """What was found in a release.

    Attributes:
        folder: the release.
        files: how many it has.
        faults: whatever is not as it was written; sorted, each once, those of a kind
            that are too many to name as a count.
        notes: what else is to be known, and what could not be checked.
    """

    folder: Path
    files: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()


def verify(
    folder: Path,
    *,
    quick: bool = False,
    hub: bool = False,
    most: int | None = NAMED,
    advance: Advance = lambda _: None,
) -> Verified:
    """Check everything that can be.

    Args:
        folder: the release.
        quick: do not decode the pictures.
        hub: look for what the Hugging Face Hub does not take, too.
        most: faults of one kind that are named; the rest is counted; None: all.
        advance: called with 1 after each file that was read.

    Raises:
        WrongUse: the folder is no release.
        BadInput: a file cannot be read at all.
    """
    if not any(os.path.lexists(folder / name) for name in (SUMMARY, SUMS, CONTENTS)):
        raise WrongUse(
            f"{folder} is no release: it has neither {SUMMARY} nor {SUMS}; name the "
            "folder that `icf-build-splits` wrote"
        )
    hashes = hash_all(folder, advance)
    others = frozenset(others_below(folder))
    found = Capped(most)
    found.add(Fault(name, NOT_PLAIN) for name in sorted(others))
    if not others.isdisjoint(_READ):
        note = "nothing else was checked: what a release says of itself is not read"
        return Verified(folder, len(hashes), found.all(), (note,))
    look = _Look(folder, hashes, quick)
    gone, links = taken_down(folder), look.links()
    absent = gone | links | others
    found.add(look.faults(absent))
    if hub:
        found.add(check_hub(folder, [*hashes, SUMS]))
    notes = [*_notes(folder, gone, links), *look.notes]
    return Verified(folder, len(hashes), found.all(), tuple(notes))


def _is_of(fault: Fault, gone: frozenset[str]) -> bool:
    return fault.what in (MISSING, NOT_PLAIN) and fault.file in gone


def _notes(folder: Path, gone: frozenset[str], links: frozenset[str]) -> Iterator[str]:
    revoked = revocation(folder)
    if revoked is not None:
        yield f"this release was revoked. {revoked}"
    if gone:
        yield (
            f"{len(gone):,} files were deleted by a takedown; its lists still name them"
        )
    linked = sum(1 for _ in links_below(folder))
    if linked:
        yield (
            f"{linked:,} of its files are links, whose bytes are elsewhere: copy it "
            "with `cp -rL`"
        )
    if links:
        yield (
            f"{len(links):,} pictures are not in it, which are to be downloaded: `icf "
            "release relink`"
        )


class _Look:
    """One look at a release: yields faults, and gathers what cannot be checked."""

    def __init__(self, folder: Path, hashes: Mapping[str, str], quick: bool) -> None:
        self.folder = folder
        self.hashes = hashes
        self.quick = quick
        self.notes: list[str] = []
        #: The files of which something is wrong, as far as it is known.
        self._named: set[str] = set()
        self._trail = trail_of(folder)

    @property
    def _is_earlier(self) -> bool:
        return CONTENTS not in self.hashes and not (self.folder / SUMS).is_file()

    def links(self) -> frozenset[str]:
        """The pictures of a release that may be without them, and is.

        Those that were downloaded are in its `SUMS`, and must be there.
        """
        summary, _ = _read_summary(self.folder)
        place = format_folders(summary).get(RELINK)
        if place is None:
            return frozenset()
        rows = read_licences(self.folder) or set()
        try:
            there = read_sums(self.folder)
        except BadInput:
            there = {}
        return frozenset(
            name
            for name, _ in rows
            if name not in there and PurePosixPath(name).is_relative_to(place)
        )

    def faults(self, absent: frozenset[str]) -> Iterator[Fault]:
        """Yield every fault; `notes` are complete afterwards.

        Args:
            absent: the files that may be missing.
        """
        for fault in self._faults():
            if not _is_of(fault, absent):
                self._named.add(fault.file)
                yield fault
        if self._is_earlier:
            return
        summary, _ = _read_summary(self.folder)
        of_it = self.folder, summary, self.hashes
        for fault in _going_on(CROISSANT, lambda: check_described(*of_it)):
            # What is wrong with a file is said better by what it is for.
            if fault.file not in self._named and not _is_of(fault, absent):
                yield fault

    def _faults(self) -> Iterator[Fault]:
        if (self.folder / CLEANING).is_dir():
            what = (
                "a cleaning was cut short: run the same `icf release clean` or "
                "`icf takedown --releases` again"
            )
            yield Fault(CLEANING, what)
        if not self._is_earlier:
            yield from check_sums(self.folder, self.hashes)
        summary, fault = _read_summary(self.folder)
        if fault is not None:
            yield fault
        if self._is_earlier:
            self.notes.append(
                f"an earlier version wrote it, without {CONTENTS} and {SUMS}: hashes "
                "other than those of pictures, near-duplicates and identities cannot "
                "be checked"
            )
            of_it = self.folder, summary, self.hashes
            yield from _going_on(SUMMARY, lambda: check_earlier(*of_it))
            yield from _going_on(CERTIFICATE, lambda: check_certificate(*of_it))
            return
        if fault is not None:
            self.notes.append(
                f"only hashes were checked: what else there should be, {SUMMARY} says"
            )
            return
        if CONTENTS not in self.hashes:
            yield Fault(CONTENTS, MISSING)
            return
        try:
            contents = read_contents(self.folder / CONTENTS)
        except BadInput as error:
            text = str(error).removeprefix(f"{self.folder / CONTENTS}").lstrip(": ")
            yield Fault(CONTENTS, text)
            return
        yield from self._against(contents, summary)

    def _against(
        self, contents: Contents, summary: Mapping[str, Any]
    ) -> Iterator[Fault]:
        """Check everything else against the contents."""
        folder, hashes = self.folder, self.hashes
        of_it = folder, contents, hashes, summary
        checks: Sequence[tuple[str, Callable[[], Iterable[Fault]]]] = (
            (CONTENTS, lambda: check_twice(contents)),
            (SUMMARY, lambda: check_counts(summary, contents)),
            (UNUSED, lambda: check_unused(*of_it)),
            (EARLIER, lambda: check_left(folder, contents, hashes)),
            (ATTRIBUTES, lambda: check_attributes(*of_it)),
            (LICENCES, lambda: check_licences(*of_it)),
            (CERTIFICATE, lambda: check_certificate(folder, summary, hashes)),
            (LEAKS, lambda: check_leaks(folder, summary, contents, shown_in(folder))),
            (".", lambda: check_beside(*of_it, cards=not self._named)),
            (LICENCES, lambda: _about(LICENCES, self._trail.faults())),
            (TURNED, lambda: check_turned(folder, contents, self._trail)),
        )
        for place, check in checks:
            yield from _going_on(place, check)
        yield from self._formats(contents, summary)
        if "cleaned" in summary:
            rows = summary["cleaned"].get("rows")
            self.notes.append(
                f"it was cleaned: {rows} withdrawn pictures and faces were deleted"
            )
        if "crops" in summary.get("settings", {}):
            self.notes.append(
                "faces are cut out (--crops): they are known by their hashes in "
                f"{CROPS} and {SUMS}, and not by their pixels"
            )
        if self.quick:
            self.notes.append("no picture was decoded (--quick)")
        else:
            yield from _going_on(
                CONTENTS,
                lambda: check_pictures(folder, contents, hashes, self._trail),
            )
        self.notes.append(
            "embeddings of train and test that nearly equal each other need the "
            "catalogue to be searched, and were when it was written"
        )

    def _formats(
        self, contents: Contents, summary: Mapping[str, Any]
    ) -> Iterator[Fault]:
        """Let each format check what it wrote."""
        known = set(format_names())
        for name, place in format_folders(summary).items():
            if name not in known:
                self.notes.append(f"the format {name} is not installed here")
                continue
            writer = make_writers([name])[name]
            if not isinstance(writer, Checker):
                self.notes.append(
                    f"of the format {name}, only the hashes of its files were checked"
                )
                continue
            inside = {
                PurePosixPath(file).relative_to(place).as_posix(): sha256
                for file, sha256 in self.hashes.items()
                if PurePosixPath(file).is_relative_to(place)
            }
            files = ReleaseFiles(
                *(self.folder / place, contents, inside, summary),
                *(self.folder, self._trail),
            )
            for fault in _going_on(".", partial(writer.verify, files)):
                yield Fault(posixpath.normpath(f"{place}/{fault.file}"), fault.what)


def _about(file: str, found: Iterable[str]) -> Iterator[Fault]:
    for what in found:
        yield Fault(file, what)


def _going_on(place: str, check: Callable[[], Iterable[Fault]]) -> Iterator[Fault]:
    """Yield what a check finds; that it cannot go on is a fault of what it is about.

    Whoever edits a release may write what no check expects.
    """
    try:
        yield from check()
    except UNEXPECTED as error:
        yield Fault(place, f"cannot be checked: {error!r}")


def _read_summary(folder: Path) -> tuple[Mapping[str, Any], Fault | None]:
    try:
        return parse_summary((folder / SUMMARY).read_text(encoding="utf-8")), None
    except FileNotFoundError:
        return {}, Fault(SUMMARY, MISSING)
    except (OSError, ValueError, RecursionError) as error:
        return {}, Fault(SUMMARY, f"cannot be read: {error}")
