"""A look at a data set before anybody waits for it: what is there, and what would go wrong."""

from pipeline.doctor.diagnosis import Diagnosis, Line
from pipeline.doctor.settings import DoctorConfig
from pipeline.doctor.stage import run

__all__ = ["Diagnosis", "DoctorConfig", "Line", "run"]
