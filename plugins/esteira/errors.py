"""The base of every error that a person can act on."""


class EsteiraError(Exception):
    """What went wrong, where, what was expected and what to do, in one message.

    Each failure has a subclass of its own; the command line prints the message without a
    traceback, and a DAG's task fails with it.
    """

    may_pass = False
    """Whether the same step may succeed when it is tried again a little later."""
