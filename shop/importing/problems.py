"""The two ways in which an export can be wrong."""


class Refused(ValueError):
    """One value is wrong, so its line cannot be taken; the other lines can.

    `problem` continues the sentence "the value ...", `mend` says what to do about it. `column` is only given where the
    one who raises knows better than the one who catches.
    """

    def __init__(self, problem: str, mend: str, column: str = "") -> None:
        super().__init__(problem)
        self.problem, self.mend, self.column = problem, mend, column


class Stopped(Exception):
    """The files (or the circumstances) are such that nothing of the run can be trusted: nothing is written."""
