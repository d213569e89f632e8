"""``python -m trainer`` is ``cmd-train``, for launchers like torchrun."""

from trainer.commands.train import main

main()
