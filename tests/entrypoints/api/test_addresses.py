"""How other programs reach the server."""

import shlex


def test_addresses_are_those_by_which_one_came(served):
    """The commands name them; each can be read by a shell."""
    client = served.client()
    client.headers["Host"] = "pacs.example:8443"
    found = client.get("/api/v1/addresses").json()
    assert found["http"] == "http://pacs.example:8443"
    assert found["dicomweb"] == "http://pacs.example:8443/dicom-web"
    assert found["ae_title"] == served.services.settings.ae_title
    assert [one["purpose"] for one in found["commands"]] == ["register", "send", "find", "fetch"]
    for group in found["commands"]:
        for command in group["commands"]:
            assert shlex.split(command)
            assert "studies/" not in command or "http://pacs.example:8443" in command


def test_only_who_may_query_is_told(served):
    """A gauge of operation needs no addresses."""
    assert served.client("secretary").get("/api/v1/addresses").status_code == 200
    assert served.client(None).get("/api/v1/addresses").status_code == 401
