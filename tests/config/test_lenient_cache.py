"""A cache that is lost counts nothing and keeps nobody out."""

from config.lenient_cache import LenientRedisCache


def test_without_redis_the_cache_is_empty_and_fails_nobody() -> None:
    cache = LenientRedisCache("redis://127.0.0.1:1/0", {})

    cache.set("a", 1)

    assert cache.get("a", "nothing") == "nothing"
    assert cache.add("a", 1)
    assert not cache.delete("a")
