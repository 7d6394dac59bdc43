"""The earlier name of `icf.engine.plugins`, for step packages that import it."""

from icf.engine.plugins import PluginStep as OutsideStep
from icf.engine.plugins import from_table

__all__ = ["OutsideStep", "from_table"]
