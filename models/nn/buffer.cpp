// SPDX-License-Identifier: MIT
#include <models/nn/buffer.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tutti::models {

void Buffer::ask_for_large_pages(void* place, std::size_t bytes) noexcept {
#if defined(__linux__)
    // A wish: where the system keeps to small pages, nothing changes.
    (void)madvise(place, bytes / k_large_page * k_large_page, MADV_HUGEPAGE);
#else
    (void)place;
    (void)bytes;
#endif
}

} // namespace tutti::models
