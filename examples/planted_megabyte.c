// SPDX-License-Identifier: MIT
// Linked to hello_note, it makes the program a megabyte larger: the size test's fault to find.
struct Planted {
    char bytes[1 << 20];
};
#if defined(__GNUC__)
__attribute__((used, retain))
#endif
const struct Planted planted_megabyte = {{1}};
