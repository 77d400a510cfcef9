"""What ended long ago is taken away; what is still good stays."""

from datetime import timedelta

from negatoscope.domain.identity import Role, setup, tokens, users


def test_ended_tokens_go_after_their_time_and_good_ones_stay(database):
    users.create(database, name="ana", roles=[Role.RADIOLOGIST], password="a long enough one")
    good = tokens.create(database, user_name="ana", expires_in=timedelta(days=1))
    for days in (1, 91):
        tokens.create(database, user_name="ana", expires_in=-timedelta(days=days))
    tokens.forget_ended(database)
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM api_token").fetchone() == (2,)
    assert tokens.resolve(database, good).name == "ana"


def test_an_ended_set_up_link_goes(database):
    secret = setup.create(database)
    setup.forget_ended(database)
    assert setup.is_valid(database, secret)
    with database.connection() as connection:
        connection.execute("UPDATE setup_link SET expires_at = now() - interval '1 second'")
    setup.forget_ended(database)
    with database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM setup_link").fetchone() == (0,)
