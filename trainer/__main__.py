"""``python -m trainer`` is ``cmd-train``, for launchers like torchrun."""

from trainer.cli import main

main()
