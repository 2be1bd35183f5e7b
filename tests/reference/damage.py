"""The one error of the decoder: what is wrong, and at which byte of the packed file."""


class Damage(Exception):
    """A packed file that cannot be read: damaged, cut, or of a kind this decoder does not know."""

    def __init__(self, offset, what):
        super().__init__(f"byte {offset}: {what}")
        self.offset = offset
