"""The one tree of errors, drawn whole.

IcfError                 exit code 1
├── WrongUse             exit code 2: the command was asked wrongly
├── BadInput             a file or a row is not what it should be
│   └── BadModel         a model file is not the one that was promised
├── BrokenMachine        disk, network or database do not answer
└── SomeFailed           exit code 3: done, but some items failed
"""


class IcfError(Exception):
    """Base of every error that ``icf`` raises on purpose.

    The message says what was asked, why it failed, and what to do.
    """

    exit_code = 1


class WrongUse(IcfError):
    """The command, flag or setting cannot mean what was asked."""

    exit_code = 2


class BadInput(IcfError):
    """A file or a row is not what its format promises."""


class BadModel(BadInput):
    """A model file has another hash, shape or task than its card says."""


class BrokenMachine(IcfError):
    """The disk, the network or the database does not answer."""


class SomeFailed(IcfError):
    """The run is done, but some items failed; the message says where to see them."""

    exit_code = 3
