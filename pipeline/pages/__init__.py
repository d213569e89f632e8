"""What every report is made of: the page, its tables and figures, drawn pictures."""

__all__: list[str] = []
