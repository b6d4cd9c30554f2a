"""What is not signed by this home, or no longer what was signed, is never built."""

from __future__ import annotations

import pytest
from releasing import ANSWER, ask, publish, release

from esteira import signing
from esteira.deploy import journal
from esteira.deploy.release import build
from esteira.settings import Settings
from esteira.signing import SignatureError


def test_a_version_that_nobody_signed_is_not_built_and_what_is_live_stays(settings: Settings):
    publish(settings)
    release(settings)
    unsigned = publish(settings, offset=1)
    unsigned.signature_path.unlink()
    with pytest.raises(SignatureError, match=r"assinatura_v2\.sig is missing.*train again"):
        build("tiny", None, settings)
    assert "assinatura_v2.sig is missing" in str(journal.releases(settings.ARTEFATOS_PATH, "tiny")[-1].reason)
    assert ask(settings) == ANSWER


def test_a_version_of_another_home_is_not_built(settings: Settings):
    publish(settings)
    elsewhere = settings.model_copy(update={"ESTEIRA_HOME": settings.ESTEIRA_HOME.parent / "elsewhere"})
    signing.made(elsewhere.ESTEIRA_HOME)
    with pytest.raises(SignatureError, match=r"assinatura_v1\.sig was made with another key"):
        build("tiny", None, elsewhere)


def test_a_version_whose_metadata_was_altered_is_not_built(settings: Settings):
    metadata = publish(settings).metadata_path
    metadata.write_text(metadata.read_text().replace("The tiny case", "Another case"))
    with pytest.raises(SignatureError, match=r"metadados_v1\.json is not the file that was signed"):
        build("tiny", None, settings)
