"""All rows in order, ``--recipe all``: which are done, which are left out, and what would be refused."""

from trainer.train.table.recipe_graph import TrainedTable, checked_rows, train_rows

__all__ = ["TrainedTable", "checked_rows", "train_rows"]
