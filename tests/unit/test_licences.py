"""What is depended on may be depended on, and docs/licences.md says so."""

import pytest

from deploy.licences import PAGE, is_accepted, licence_of, locked_packages, page


def test_the_page_holds_every_package_of_the_lock_with_the_licence_that_it_tells():
    assert PAGE.read_text() == page({name: licence_of(name) for name in locked_packages()})


def test_no_package_has_a_licence_that_is_not_accepted():
    assert {name: licence_of(name) for name in locked_packages() if not is_accepted(licence_of(name))} == {}


@pytest.mark.parametrize(
    "licence", ["", "GPL-3.0-only", "MIT AND AGPL-3.0-or-later", "Apache-2.0 WITH Other-exception"]
)
def test_what_binds_more_than_notices_is_refused(licence: str):
    assert not is_accepted(licence)


@pytest.mark.parametrize(
    "licence", ["MIT", "MIT OR Apache-2.0", "(BSD-3-Clause AND ISC)", "Apache-2.0 WITH LLVM-exception"]
)
def test_permissive_licences_are_accepted(licence: str):
    assert is_accepted(licence)
