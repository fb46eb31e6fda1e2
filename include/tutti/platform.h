// SPDX-License-Identifier: MIT
// Macros that name what a compiler must know: which symbols leave the library, which functions never block.
#pragma once

#if defined(_WIN32)
#if defined(TUTTI_BUILDING_LIBRARY)
#define TUTTI_API __declspec(dllexport)
#elif defined(TUTTI_SHARED_LIBRARY)
#define TUTTI_API __declspec(dllimport)
#else
#define TUTTI_API
#endif
#elif defined(__GNUC__) || defined(__clang__)
#define TUTTI_API [[gnu::visibility("default")]]
#else
#define TUTTI_API
#endif

// Stands after `noexcept` in the declaration of every function that may run on the audio thread: it does not allocate,
// lock, wait, call the system or throw. clang 20 and later check it at compile time and in the real-time sanitizer.
#if defined(__clang__) && defined(__has_cpp_attribute) && !defined(TUTTI_NONBLOCKING)
#if __has_cpp_attribute(clang::nonblocking) && __clang_major__ >= 20
#define TUTTI_NONBLOCKING [[clang::nonblocking]]
#endif
#endif
#ifndef TUTTI_NONBLOCKING
#define TUTTI_NONBLOCKING
#endif
