"""Hypothesis keeps no files beside the sources, and does not mind a slow machine."""

import tempfile
from pathlib import Path

from hypothesis import configuration, settings

configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir(), "hypothesis"))
settings.register_profile("service", database=None, deadline=None)
settings.load_profile("service")
