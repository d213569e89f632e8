"""Cross-modal distillation: Eq. 1 to 3, and which branch they train."""

from trainer.distillation.losses import bbe_loss, kl_regression, lb_hinge, tcl_loss

__all__ = ["bbe_loss", "kl_regression", "lb_hinge", "tcl_loss"]
