// SPDX-License-Identifier: MIT
// What the device's compiler gets in place of the public header: a row of a parameter table is never looked into there.
#pragma once
namespace tutti {
struct Parameter;
}
