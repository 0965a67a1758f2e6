"""Where desk files are found."""

import pytest
from interlock.cli.desks import find_desk, known_desks, load_desk
from interlock.cli.errors import CliError


@pytest.fixture
def folders(tmp_path):
    near, far = tmp_path / "near", tmp_path / "far"
    for folder, names in ((near, ("params",)), (far, ("params", "crypto"))):
        folder.mkdir()
        for name in names:
            (folder / f"{name}.toml").write_text("[desk]\n")
    return near, far


def test_the_working_folder_goes_before_the_packaged_copy(folders):
    near, far = folders
    assert find_desk("params", folders) == near / "params.toml"
    assert find_desk("crypto", folders) == far / "crypto.toml"
    assert known_desks(folders) == ["crypto", "params"]


def test_a_path_is_taken_as_it_is(folders):
    path = folders[1] / "crypto.toml"
    assert find_desk(str(path), folders) == path


@pytest.mark.parametrize("name", ["absent", "absent.toml", "some/where/absent"])
def test_an_unknown_desk_lists_those_known(folders, name):
    with pytest.raises(CliError, match=r"no desk .*absent.*known desks are crypto, params"):
        find_desk(name, folders)


def test_no_desks_at_all_says_where_they_were_looked_for(tmp_path):
    with pytest.raises(CliError, match="no desk files lie in"):
        find_desk("params", (tmp_path,))


def test_a_desk_that_cannot_be_used_names_the_section(folders):
    with pytest.raises(CliError, match=r"section \[desk\]"):
        load_desk("crypto", folders)
