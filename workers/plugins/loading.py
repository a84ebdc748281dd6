"""Imports the plug-ins that TRAINYARD_PLUGINS names, in each process that computes."""

import importlib
import os
from collections.abc import Mapping

from trainyard.errors import SettingsError
from trainyard.settings import plugin_modules


def load_plugins(env: Mapping[str, str] = os.environ) -> None:
    """Import them, in their order; raises SettingsError that names the one which cannot be imported."""
    for module in plugin_modules(env):
        try:
            importlib.import_module(module)
        except SettingsError:
            raise
        except Exception as error:  # whatever an operator's own module does as it is imported
            raise SettingsError(
                f"The plug-in {module} cannot be imported: {type(error).__name__}: {error}",
                remedy="Mend it, install what it needs beside Trainyard, or take it out of "
                "TRAINYARD_PLUGINS.",
            ) from error
