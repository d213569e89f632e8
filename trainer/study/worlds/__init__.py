"""Where pairs, the teacher and the tests of a study come from."""

__all__: list[str] = []
