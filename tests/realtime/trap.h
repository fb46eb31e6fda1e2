// SPDX-License-Identifier: MIT
// A thread whose every system call is trapped, counted and then made for it: what happens is what happens without, but known.
#pragma once

#if defined(__linux__) && defined(__x86_64__) && defined(__GNUC__)
#define TUTTI_TRAPS 1
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdint>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

// The one place whose system calls pass: r(number, six arguments).
extern "C" long tutti_raw_call(long number, long a, long b, long c, long d, long e, long f);
extern "C" const char tutti_raw_call_end[];
asm(R"(
    .text
    .globl tutti_raw_call
    .hidden tutti_raw_call
    .type tutti_raw_call, @function
tutti_raw_call:
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    .globl tutti_raw_call_end
    .hidden tutti_raw_call_end
tutti_raw_call_end:
    ret
    .size tutti_raw_call, .-tutti_raw_call
)");

namespace tutti::realtime {

struct Trap {
    static inline thread_local volatile int t_watched = 0;
    static inline volatile int g_calls = 0; // one trapped thread at a time
    static inline volatile int g_last = -1; // number of the last call, for the message
    struct Watch {
        Watch() noexcept { t_watched = 1; }
        ~Watch() { t_watched = 0; }
    };

    static void on_call(int, siginfo_t* info, void* where) {
        auto& registers = static_cast<ucontext_t*>(where)->uc_mcontext.gregs;
        if (t_watched != 0) {
            g_calls = g_calls + 1;
            g_last = info->si_syscall;
        }
        registers[REG_RAX] =
            tutti_raw_call(info->si_syscall, registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                           registers[REG_R10], registers[REG_R8], registers[REG_R9]);
    }

    // From here on this thread, and no other, is trapped. False where the kernel does not let it.
    static bool begin() {
        struct sigaction action {};
        action.sa_sigaction = on_call;
        action.sa_flags = SA_SIGINFO | SA_NODEFER;
        if (sigaction(SIGSYS, &action, nullptr) != 0) return false;
        // The instruction pointer that the filter sees stands behind the instruction.
        const auto passes = reinterpret_cast<std::uintptr_t>(tutti_raw_call_end);
        const auto low = static_cast<std::uint32_t>(passes), high = static_cast<std::uint32_t>(passes >> 32);
        constexpr auto k_load = static_cast<std::uint16_t>(BPF_LD | BPF_W | BPF_ABS);
        constexpr auto k_equal = static_cast<std::uint16_t>(BPF_JMP | BPF_JEQ | BPF_K);
        constexpr auto k_return = static_cast<std::uint16_t>(BPF_RET | BPF_K);
        constexpr auto k_pointer = static_cast<std::uint32_t>(offsetof(seccomp_data, instruction_pointer));
        sock_filter filter[] = {
            {k_load, 0, 0, offsetof(seccomp_data, nr)},
            {k_equal, 7, 0, __NR_rt_sigreturn}, // how the handler comes back
            {k_equal, 6, 0, __NR_exit},         // how the thread ends
            {k_equal, 5, 0, __NR_exit_group},
            {k_load, 0, 0, k_pointer},
            {k_equal, 0, 2, low},
            {k_load, 0, 0, k_pointer + 4},
            {k_equal, 1, 0, high},
            {k_return, 0, 0, SECCOMP_RET_TRAP},
            {k_return, 0, 0, SECCOMP_RET_ALLOW},
        };
        const sock_fprog program{static_cast<unsigned short>(sizeof filter / sizeof filter[0]), filter};
        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
    }
};

} // namespace tutti::realtime
#else
#define TUTTI_TRAPS 0
#endif
