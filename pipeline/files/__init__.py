"""How a file is read and written: plain files of bounded size."""

__all__: list[str] = []
