"""Whether pictures of a project's data leave this server: of sensitive data an operator switches them off."""

import re

from trainyard.errors import Forbidden

ALL = "*"
_OF_DATA = re.compile(
    r"(.*/)?(figures/overlay[^/]*|report\.html|overlays/.*|events\.out\.tfevents[^/]*)", re.DOTALL
)
"""Files of a run in which images of its data set are seen."""


class HiddenPictures:
    """The rule of `TRAINYARD_HIDE_PICTURES`; who reads by what key makes no difference."""

    def __init__(self, projects: tuple[str, ...]) -> None:
        self._projects = frozenset(projects)

    def covers(self, project: str) -> bool:
        """Whether no picture of the project's data is shown."""
        return ALL in self._projects or project in self._projects

    def check(self, project: str) -> None:
        """Raise Forbidden where no picture of the project's data is shown."""
        if self.covers(project):
            raise Forbidden(
                f"This server shows no pictures of the data of project {project!r}.",
                remedy="An operator has switched them off (TRAINYARD_HIDE_PICTURES); figures are there.",
            )

    def covers_file(self, project: str, path: str) -> bool:
        """The same for a file of a run, by its path in the run's folder."""
        return self.covers(project) and _OF_DATA.fullmatch(path) is not None

    def check_file(self, project: str, path: str) -> None:
        """Raise Forbidden for a file of a run that shows data which is not to be seen."""
        if self.covers_file(project, path):
            self.check(project)
