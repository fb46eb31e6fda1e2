// SPDX-License-Identifier: MIT
// What a user of the library compiles: it must build against the installed headers alone, and find the library at run time.
#include <cstdio>
#include <cstring>

#include <tutti/engine.h>
#include <tutti/status.h>

int main() {
    const tutti::Status status(tutti::Code::not_found, "what", "means", "remedy");
    std::puts(status.message().c_str());
    return std::strcmp(tutti::code_name(status.code()), "not_found") == 0 ? 0 : 1;
}
