"""A failure is one line that names the thing, the cause and what to do; `run` prints it and ends with 1."""


class Failure(Exception):
    """What failed, with more lines to read below it where there are some."""

    def __init__(self, sentence, details=""):
        super().__init__(sentence)
        self.details = details.rstrip()
