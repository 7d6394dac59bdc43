"""Every status and reason code of the program, each with its meaning.

A URL, an image, a face and a question has exactly one code at any time. The codes are
part of the public contract: scripts count them, ``icf why`` prints them, and
``docs/codes.md`` lists them (a test keeps that page equal to this file).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class Code(str, Enum):
    """A string with a meaning; compares and serialises as the plain string.

    >>> FetchStatus.PENDING == "pending", FetchStatus.PENDING.meaning
    (True, 'waits to be fetched, or to be tried again')
    """

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Code:
        """Make a member whose value is ``value`` alone."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    def __str__(self) -> str:
        """Return the plain string."""
        return str(self.value)


def meaning_of(
    codes: type[Code], value: str, others: Mapping[str, str] | None = None
) -> str:
    """Return what a code means; a plug-in step may have its own reasons.

    Args:
        codes: the codes of the program.
        value: the code.
        others: the meanings of the reasons of installed plug-in steps.

    >>> meaning_of(Verdict, "kept"), meaning_of(FaceReason, "no_hat")
    ('passed', 'a reason of a step that is not installed')
    >>> meaning_of(FaceReason, "no_hat", {"no_hat": "it wears no hat"})
    'it wears no hat'
    """
    members: list[Code] = list(codes)
    known = {member.value: member.meaning for member in members}
    unknown = "a reason of a step that is not installed"
    return known.get(value) or (others or {}).get(value, unknown)


class FetchStatus(Code):
    """The state of a URL."""

    PENDING = "pending", "waits to be fetched, or to be tried again"
    STORED = "stored", "fetched; its bytes are in the blob store"
    UNCHANGED = (
        "unchanged",
        "fetched again; the server answered that its bytes have not changed",
    )
    EMPTY = "empty", "the body has zero bytes"
    TRUNCATED = (
        "truncated",
        "the body ended early, or the connection was reset, on every attempt; nothing "
        "was stored",
    )
    NOT_IMAGE = "not_image", "the bytes do not begin like any known picture format"
    TOO_LARGE = (
        "too_large",
        "more bytes than the limit, on the wire or unpacked, or more pixels in its "
        "header",
    )
    TIMEOUT = "timeout", "slower than the deadline or the minimum rate allows"
    BAD_SCHEME = "bad_scheme", "not http or https, here or at a redirect"
    BAD_URL = "bad_url", "cannot be read as a URL"
    FORBIDDEN_ADDRESS = (
        "forbidden_address",
        "resolves to a private, loopback or link-local address that is not in "
        "harvest.allow_hosts",
    )
    TOO_MANY_REDIRECTS = "too_many_redirects", "more than five redirects"
    NOT_FOUND = "not_found", "the server answered 404, or one's own file is gone"
    GONE = "gone", "the server answered 410"
    REFUSED = "refused", "the server answered 401 or 403"
    HTTP_ERROR = (
        "http_error",
        "another HTTP status, a part of a picture (206), or no HTTP, on every attempt",
    )
    UNREACHABLE = (
        "unreachable",
        "no connection, or one that ended without an answer, on every attempt",
    )
    DISALLOWED = "disallowed", "robots.txt forbids it"
    OPTED_OUT = (
        "opted_out",
        "its site forbids the use of its pictures, or training on them",
    )
    NO_TRAINING = (
        "no_training",
        "its metadata (C2PA, CAWG or IPTC) forbids training on it",
    )
    HASH_MISMATCH = (
        "hash_mismatch",
        "the bytes do not have the SHA-1 that the site gives",
    )
    MISSING_FILE = "missing_file", "the page names a file that the site does not have"
    MISSING_PAGE = "missing_page", "the site has no page of this name"
    CORRUPT = "corrupt", "its container is damaged at this page, member or frame"
    ENCRYPTED = "encrypted", "its container asks for a password"
    UNSUPPORTED = "unsupported", "a kind of member that is not read"
    BAD_MEMBER = (
        "bad_member",
        "a member whose name leads out of its container, or that shares bytes with "
        "another",
    )
    OTHER_LICENCE = "other_licence", "its licence is not one of harvest.only_licence"
    TAKEN_DOWN = "taken_down", "withdrawn with `icf takedown`; never fetched again"


#: Statuses of URLs whose bytes are in the blob store.
FETCHED = (FetchStatus.STORED.value, FetchStatus.UNCHANGED.value)


class ImageReason(Code):
    """Why an image was kept or dropped."""

    OK = "ok", "decoded; at least one face was found"
    NO_FACE = "no_face", "decoded; no face reaches filter.min_score"
    EMPTY = "empty", "zero bytes"
    NOT_IMAGE = "not_image", "the bytes do not begin like any known picture format"
    UNSUPPORTED = "unsupported", "a picture format that cannot be decoded here"
    TRUNCATED = "truncated", "the file ends before the picture does"
    CORRUPT = "corrupt", "the decoder found damaged data"
    TOO_LARGE = (
        "too_large",
        "the header has more pixels or frames than the limit",
    )
    TOO_SMALL = (
        "too_small",
        "a side is under filter.min_side pixels, or under what any face could need",
    )
    BAD_ASPECT = "bad_aspect", "one side is over filter.max_aspect times the other"
    DEGENERATE = "degenerate", "one flat colour"
    PHOTOGRAPH = "photograph", "a photograph, not a drawing"
    EXACT_DUPLICATE = (
        "exact_duplicate",
        "the same pixels as another picture of the same characters",
    )
    CRASHED = "crashed", "its bytes crashed the process that decoded them"
    HUNG = "hung", "its decoder did not finish within filter.deadline"
    MISSING_BLOB = (
        "missing_blob",
        "the blob store has lost its bytes; it waits until they are fetched again",
    )
    TAKEN_DOWN = "taken_down", "withdrawn with `icf takedown`; its bytes are gone"
    STEP_FAILED = (
        "step_failed",
        "a filter step failed on it; `icf why` shows the message",
    )


class FaceReason(Code):
    """Why a face was kept or dropped."""

    OK = "ok", "passed all steps so far"
    PICTURE_OUT = "picture_out", "its picture was dropped; see the picture's reason"
    LOW_SCORE = "low_score", "the detector's score is under filter.min_score"
    TOO_SMALL = "too_small", "a side of the face is under filter.min_face pixels"
    HUMAN = "human", "a photographed human face, not a drawn one"
    DARK = "dark", "mean brightness under filter.min_brightness"
    FLAT = "flat", "contrast under filter.min_contrast: nearly one colour"
    BLURRED = (
        "blurred",
        "sharpness of its edges under filter.min_edge_sharpness, or Laplacian variance "
        "under filter.min_sharpness",
    )
    LOW_RESOLUTION = (
        "low_resolution",
        "enlarged or blurred: too few real pixels for filter.min_resolution",
    )
    EXACT_DUPLICATE = (
        "exact_duplicate",
        "the same pixels as a better face of this character",
    )
    NEAR_DUPLICATE = (
        "near_duplicate",
        "hashes and embedding are within the thresholds of a better face of this "
        "character",
    )
    NOT_THIS_CHARACTER = (
        "not_this_character",
        "not similar enough to the reference face of any of its candidate characters",
    )
    NO_REFERENCE = (
        "no_reference",
        "a character that it may show has no reference face; choose one with "
        "`icf-harvest reference page`",
    )
    MISSING_BLOB = (
        "missing_blob",
        "the blob store has lost its picture's bytes; it waits until they are back",
    )
    CRASHED = "crashed", "its picture's bytes crashed the process that decoded them"
    HUNG = "hung", "its picture's decoder did not finish within filter.deadline"
    NOBODY = (
        "nobody",
        "of a published detection set, which says where faces are and not whose",
    )
    NOT_A_FACE = "not_a_face", "people say that it shows no face"
    TAKEN_DOWN = "taken_down", "its picture or its character was withdrawn"
    STEP_FAILED = (
        "step_failed",
        "a filter step failed on it; `icf why` shows the message",
    )


#: Reasons of faces that cannot be shown any more.
GONE_FACES = (
    FaceReason.TAKEN_DOWN.value,
    FaceReason.MISSING_BLOB.value,
    FaceReason.NOT_A_FACE.value,
)


#: Reasons of faces that identity dropped.
BY_IDENTITY = (FaceReason.NOT_THIS_CHARACTER.value, FaceReason.NO_REFERENCE.value)


class Region(Code):
    """Where an album comes from, as the paper groups them (section 3.1)."""

    JAPAN = "japan", "made in Japan"
    CHINA = "china", "made in China, Hong Kong, Macau or Taiwan"
    EUROPE = "europe", "made in Europe"
    AMERICA = "america", "made in North, Middle or South America"
    OTHER = "other", "made elsewhere"


class Gender(Code):
    """A character's gender, as its source says."""

    FEMALE = "female", "a girl or a woman"
    MALE = "male", "a boy or a man"
    OTHER = "other", "neither, or several"


class Verdict(Code):
    """The result of the filter steps for an image or a face."""

    PENDING = "pending", "waits for filter steps"
    KEPT = "kept", "passed"
    DROPPED = "dropped", "dropped; the reason says why"


class Suspicion(Code):
    """What `icf-filter review` shows to people."""

    TWIN = "twin", "nearly the same drawing, filed under two characters"
    MERGE = "merge", "two characters whose faces look like one"
    SPLIT = "split", "a group of faces unlike the others of its character"
    OUTLIER = "outlier", "one face unlike the others of its character"


class ReviewStatus(Code):
    """The state of a suspicion."""

    OPEN = "open", "no question about it was asked yet"
    ASKED = "asked", "a question about it waits for answers"
    SAME = "same", "people say that both are one character"
    DIFFERENT = "different", "people say that they are two characters"
    UNSURE = "unsure", "people cannot tell"
    CLOSED = "closed", "no longer valid: a face or character of it changed"


#: Statuses of suspicions that nobody settled yet.
WAITING_REVIEWS = (ReviewStatus.OPEN.value, ReviewStatus.ASKED.value)


class Label(Code):
    """What the answers to a question say: is this face this character?"""

    OPEN = "open", "no answers, or not enough of them agree"
    SAME = "same", "people say it is the character"
    DIFFERENT = "different", "people say it is not the character"
    UNSURE = "unsure", "people cannot tell"
    NOT_A_FACE = "not_a_face", "people say that it shows no face"
    WRONG_REFERENCE = (
        "wrong_reference",
        "people say that the reference it was compared with is wrong",
    )
    WITHDRAWN = (
        "withdrawn",
        "no longer asked: its reference was wrong, or it shows no face",
    )
    DISPUTED = "disputed", "people contradict each other; an expert decides"


#: Labels that say whether a face is a character.
YES_OR_NO = (Label.SAME.value, Label.DIFFERENT.value)

#: Labels that more answers may change.
UNSETTLED = (Label.OPEN.value, Label.DISPUTED.value)


class BoxStatus(Code):
    """What people say of the boxes of all drawn faces in a picture."""

    OPEN = "open", "not enough people looked at all of it yet"
    VERIFIED = "verified", "people agree on the boxes of all its drawn faces"
    DISPUTED = "disputed", "people's boxes differ too much; an expert decides"
    CANNOT_TELL = "cannot_tell", "people cannot tell which faces are drawn where"


class Unused(Code):
    """Why a confirmed face is in no part of a release's recognition set.

    A face that the filter drops now has the filter's reason instead.
    """

    # What it is.
    OTHER_LICENCE = (
        "other_licence",
        "its picture is under no licence of harvest.only_licence",
    )
    WITHOUT_EMBEDDING = (
        "without_embedding",
        "the embedder of the release has not embedded it; run `icf-filter run`",
    )
    CONFIRMED_FOR_TWO = (
        "confirmed_for_two_characters",
        "people confirmed it for two characters, so it belongs to neither",
    )
    UNASKED_REFERENCE = (
        "unasked_reference",
        "a reference that nobody was asked about, and dataset.unasked_references is "
        "false",
    )
    # Of identities that are in the test alone.
    OF_DISTRACTOR = "of_distractor", "of a distractor, which gives one face"
    BEYOND_PROBES = (
        "beyond_probes",
        "of a test-only identity that has as many probes as it may have",
    )
    NEAR_PROBE = (
        "near_probe",
        "of a test-only identity, and a near-duplicate of one of its probes",
    )
    NOT_BY_PEOPLE = (
        "not_by_people",
        "of a test-only identity, and nobody was asked about this very face",
    )
    MAY_BE_HELD_OUT = (
        "may_be_held_out",
        "an open suspicion says that its character may be a test-only one",
    )
    # Withheld from train.
    PICTURE_IN_TEST = "picture_in_test", "its picture, or an equal one, is in the test"
    TRACK_IN_TEST = "track_in_test", "a face of its track is in the test"
    SHOT_IN_TEST = "shot_in_test", "a frame of its shot is in the test"
    FILE_IN_TEST = (
        "file_in_test",
        "its video or book is in the test, and dataset.files_apart is true",
    )
    NEAR_TEST = "near_test", "it or its picture is a near-duplicate of one in the test"
    HELD_OUT_IN_PICTURE = (
        "held_out_in_picture",
        "its picture also shows an identity that is in the test alone",
    )
    # Not wanted.
    IDENTITY_TOO_SMALL = (
        "identity_too_small",
        "its identity has fewer than dataset.min_train_faces left to train on",
    )
    BEYOND_IDENTITIES = (
        "beyond_identities",
        "there are more identities than dataset.train_identities",
    )
    NOT_IN_PROTOCOL = (
        "not_in_protocol",
        "the protocol has no part for its identity or album",
    )
    # Because of an earlier release.
    TESTED_BEFORE = (
        "tested_before",
        "it, or what is close to it, was in the test of the earlier release, and its "
        "identity is trained on",
    )
    TRAINED_BEFORE = (
        "trained_before",
        "it, or what is close to it, was trained on in the earlier release, and its "
        "identity is in the test alone",
    )


class Occlusion(Code):
    """How much of a face is hidden."""

    NONE = "none", "nothing of the face is hidden"
    PART = "part", "a part of it is hidden: hair over an eye, a hand, a mask"
    MOST = "most", "most of it is hidden"


class Chosen(Code):
    """How a question was chosen for its batch."""

    REFERENCE = "reference", "it asks whether a reference is right"
    SUSPICION = "suspicion", "it settles a suspicion of the filter"
    UNCERTAIN = "uncertain", "its face was among the most uncertain ones"
    RANDOM = "random", "drawn at random from the other kept faces"
    DROPPED = "dropped", "drawn at random from the faces that identity dropped"
    FOLLOWER = (
        "follower",
        "drawn at random from the faces that follow another one of their track",
    )
    SURE = "sure", "the model is sure of it; a person looks at it once"
    BY_HAND = "by_hand", "a person chose it while looking through the catalogue"


class Choice(Code):
    """The possible answers to a question."""

    TRUE = "true", "the same character"
    FALSE = "false", "another character"
    UNSURE = "unsure", "cannot tell"
    NOT_A_FACE = "not_a_face", "no face at all"
    WRONG_REFERENCE = (
        "wrong_reference",
        "the reference is not the character, or shows it badly",
    )


class RoundState(Code):
    """What a round does next."""

    FILTER = "filter", "pictures and faces go through the filter"
    ASK = "ask", "questions are chosen and written to a folder"
    ANSWERS = "answers", "waits for people's answers"
    TRAIN = "train", "the embedder is trained on what people confirmed"
    GATE = "gate", "the trained model is compared with the champion on the audit set"
    DECIDE = "decide", "faces are embedded, calibrated and decided on again"
    DONE = "done", "at its end; the summary says what changed"


class RelinkStatus(Code):
    """Whether a picture of a release that came without pictures is there."""

    THERE = "there", "downloaded; its bytes have the SHA-256 of the release"
    CHANGED = "changed", "its address has other bytes now"
    NOT_FETCHED = "not_fetched", "no address gave it; the fate says what the last gave"
    NO_ADDRESS = (
        "no_address",
        "it was in files of those who made the release, or its address cannot be read",
    )


class ImportFault(Code):
    """Why `icf import` refuses a picture that can be decoded, or is not there."""

    UNREADABLE = (
        "unreadable",
        "its list cannot be read there, or there is no such picture",
    )
    WRONG_SIZE = (
        "wrong_size",
        "its list gives it another size, so that its boxes would be elsewhere",
    )
    WRONG_BYTES = "wrong_bytes", "its bytes have another SHA-256 than its list says"
    ANOTHER_PICTURE = (
        "another_picture",
        "another picture was imported under its address before",
    )


class RowFault(Code):
    """Why a row of an answers file was rejected."""

    UNKNOWN_QUESTION = "unknown_question", "no question has this id"
    UNKNOWN_CHOICE = "unknown_choice", "the answer is none that is known"
    FOREIGN_BATCH = "foreign_batch", "the question belongs to another batch"
    FOREIGN_PICTURES = (
        "foreign_pictures",
        "the row shows other pictures than its question",
    )
    DUPLICATE_ROW = "duplicate_row", "this person answered it in an earlier row"
    CONFLICT = "conflict", "this person gave another answer to it in another row"
    BAD_ENCODING = "bad_encoding", "the row is not UTF-8"
    REFUSED_BY_AUDIT = (
        "refused_by_audit",
        "an audit cannot take it, e.g. because this person helped to make the label",
    )
    UNKNOWN_PICTURE = "unknown_picture", "people are asked about no such picture"
    BAD_BOXES = "bad_boxes", "the boxes are none that can be, or of another size"
    BAD_ROW = (
        "bad_row",
        "the row is neither CSV nor JSON, or lacks a question or an annotator",
    )


class RowNote(Code):
    """What is said about a row of an answers file that is not rejected."""

    EDITED = (
        "edited",
        "somebody else changed it since; it stays the answer of who made it",
    )
    DRAFT = "draft", "somebody began to answer and did not submit it"


class SuspectedBox(Code):
    """Why a true box, or the lack of one, is suspected (`icf-evaluate detection`)."""

    NO_BOX = "no_box", "a detector is sure of a face where there is no true box"
    UNTOUCHED = "untouched", "a true box that no detection overlaps, however unsure"
    TWICE = "twice", "a true box that is nearly the same as another of its picture"


ALL: tuple[type[Code], ...] = (
    FetchStatus,
    ImageReason,
    FaceReason,
    Region,
    Gender,
    Verdict,
    Suspicion,
    ReviewStatus,
    Label,
    BoxStatus,
    Unused,
    Occlusion,
    Chosen,
    Choice,
    RoundState,
    RelinkStatus,
    ImportFault,
    RowFault,
    RowNote,
    SuspectedBox,
)
