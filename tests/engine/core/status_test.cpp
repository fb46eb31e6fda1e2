// SPDX-License-Identifier: MIT
#include <doctest/doctest.h>

#include <tutti/status.h>

using tutti::Code;
using tutti::Result;
using tutti::Status;

TEST_CASE("a status says what happened, what it means and what to do, on one line") {
    const Status status(Code::file_not_found, "song.mid does not exist", "nothing was rendered", "check the path");
    CHECK_FALSE(status.ok());
    CHECK(status.message() == "song.mid does not exist; nothing was rendered; check the path");
    CHECK(Status().message() == "ok");
}

TEST_CASE("a result holds a value or the reason why there is none") {
    Result<int> good(7);
    CHECK(good.ok());
    CHECK(*good == 7);
    Result<int> bad(Status(Code::malformed, "a", "b", "c"));
    CHECK_FALSE(bad.ok());
    CHECK(bad.status().code() == Code::malformed);
}
