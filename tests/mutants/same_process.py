"""A plug-in of pytest: tests are run again and again in one process, and what that process has forked."""

from hypothesis import HealthCheck, settings


def pytest_configure() -> None:
    """Hypothesis takes a test method that another instance of its class had run before for a mistake."""
    seeded = settings.get_profile("seeded")
    settings.register_profile("mutants", seeded, suppress_health_check=[HealthCheck.differing_executors])
    settings.load_profile("mutants")
