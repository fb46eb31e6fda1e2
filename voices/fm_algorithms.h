// SPDX-License-Identifier: MIT
// The 32 classic six-operator algorithms: who modulates whom, who is heard, who feeds back to whom.
//
// Keeps to C++14 without standard headers.
// Facts read from the algorithm chart printed on the DX7's panel and in its manual (Yamaha, 1983). Operators are numbered
// 0..5 here for the chart's 1..6. Operators are computed from 5 down to 0, so that every modulator but the feedback is
// ready when its target needs it.
#pragma once

namespace tutti {
namespace voices {

struct FmAlgorithm {
    unsigned char modulators[6]; // bit m of modulators[o]: operator m modulates operator o; m > o always
    unsigned char carriers;      // bit o: operator o is heard
    unsigned char feedback_from; // the operator whose output is fed back
    unsigned char feedback_to;   // the operator it is fed to (itself, but for algorithms 4 and 6)
};

namespace fm {
constexpr unsigned char k_none = 0, k_1 = 1, k_2 = 2, k_3 = 4, k_4 = 8, k_5 = 16, k_6 = 32;
}

constexpr FmAlgorithm k_fm_algorithms[32] = {
    // modulators of 1, 2, 3, 4, 5, 6                                             carriers            feedback
    {{fm::k_2, 0, fm::k_4, fm::k_5, fm::k_6, 0}, fm::k_1 | fm::k_3, 5, 5},                         // 1
    {{fm::k_2, 0, fm::k_4, fm::k_5, fm::k_6, 0}, fm::k_1 | fm::k_3, 1, 1},                         // 2
    {{fm::k_2, fm::k_3, 0, fm::k_5, fm::k_6, 0}, fm::k_1 | fm::k_4, 5, 5},                         // 3
    {{fm::k_2, fm::k_3, 0, fm::k_5, fm::k_6, 0}, fm::k_1 | fm::k_4, 3, 5},                         // 4
    {{fm::k_2, 0, fm::k_4, 0, fm::k_6, 0}, fm::k_1 | fm::k_3 | fm::k_5, 5, 5},                     // 5
    {{fm::k_2, 0, fm::k_4, 0, fm::k_6, 0}, fm::k_1 | fm::k_3 | fm::k_5, 4, 5},                     // 6
    {{fm::k_2, 0, fm::k_4 | fm::k_5, 0, fm::k_6, 0}, fm::k_1 | fm::k_3, 5, 5},                     // 7
    {{fm::k_2, 0, fm::k_4 | fm::k_5, 0, fm::k_6, 0}, fm::k_1 | fm::k_3, 3, 3},                     // 8
    {{fm::k_2, 0, fm::k_4 | fm::k_5, 0, fm::k_6, 0}, fm::k_1 | fm::k_3, 1, 1},                     // 9
    {{fm::k_2, fm::k_3, 0, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_4, 2, 2},                     // 10
    {{fm::k_2, fm::k_3, 0, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_4, 5, 5},                     // 11
    {{fm::k_2, 0, fm::k_4 | fm::k_5 | fm::k_6, 0, 0, 0}, fm::k_1 | fm::k_3, 1, 1},                 // 12
    {{fm::k_2, 0, fm::k_4 | fm::k_5 | fm::k_6, 0, 0, 0}, fm::k_1 | fm::k_3, 5, 5},                 // 13
    {{fm::k_2, 0, fm::k_4, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_3, 5, 5},                     // 14
    {{fm::k_2, 0, fm::k_4, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_3, 1, 1},                     // 15
    {{fm::k_2 | fm::k_3 | fm::k_5, 0, fm::k_4, 0, fm::k_6, 0}, fm::k_1, 5, 5},                     // 16
    {{fm::k_2 | fm::k_3 | fm::k_5, 0, fm::k_4, 0, fm::k_6, 0}, fm::k_1, 1, 1},                     // 17
    {{fm::k_2 | fm::k_3 | fm::k_4, 0, 0, fm::k_5, fm::k_6, 0}, fm::k_1, 2, 2},                     // 18
    {{fm::k_2, fm::k_3, 0, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_4 | fm::k_5, 5, 5},               // 19
    {{fm::k_3, fm::k_3, 0, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_2 | fm::k_4, 2, 2},           // 20
    {{fm::k_3, fm::k_3, 0, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_4 | fm::k_5, 2, 2},     // 21
    {{fm::k_2, 0, fm::k_6, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_3 | fm::k_4 | fm::k_5, 5, 5},     // 22
    {{0, fm::k_3, 0, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_4 | fm::k_5, 5, 5},           // 23
    {{0, 0, fm::k_6, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_4 | fm::k_5, 5, 5}, // 24
    {{0, 0, 0, fm::k_6, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_4 | fm::k_5, 5, 5},       // 25
    {{0, fm::k_3, 0, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_2 | fm::k_4, 5, 5},                 // 26
    {{0, fm::k_3, 0, fm::k_5 | fm::k_6, 0, 0}, fm::k_1 | fm::k_2 | fm::k_4, 2, 2},                 // 27
    {{fm::k_2, 0, fm::k_4, fm::k_5, 0, 0}, fm::k_1 | fm::k_3 | fm::k_6, 4, 4},                     // 28
    {{0, 0, fm::k_4, 0, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_5, 5, 5},                 // 29
    {{0, 0, fm::k_4, fm::k_5, 0, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_6, 4, 4},                 // 30
    {{0, 0, 0, 0, fm::k_6, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_4 | fm::k_5, 5, 5},             // 31
    {{0, 0, 0, 0, 0, 0}, fm::k_1 | fm::k_2 | fm::k_3 | fm::k_4 | fm::k_5 | fm::k_6, 5, 5},         // 32
};

} // namespace voices
} // namespace tutti
