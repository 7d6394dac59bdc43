"""All errors, in one tree.

IcfError                 exit code 1
├── WrongUse             exit code 2: the command was used wrongly
├── BadInput             a file or a row is invalid
│   └── BadModel         a model file does not match its card
├── BrokenMachine        disk, network or database fail
└── SomeFailed           exit code 3: done, but some items failed
"""


class IcfError(Exception):
    """Base of every error that ``icf`` raises itself.

    The message says what failed, why, and what to do.
    """

    exit_code = 1


class WrongUse(IcfError):
    """The command, option or setting is invalid."""

    exit_code = 2


class BadInput(IcfError):
    """A file or a row does not have the expected format."""


class BadModel(BadInput):
    """A model file has another hash, shape or task than its card says."""


class BrokenMachine(IcfError):
    """The disk, the network or the database fails."""


class SomeFailed(IcfError):
    """The run is done, but some items failed; the message says where to see them."""

    exit_code = 3
