// SPDX-License-Identifier: MIT
#include <models/parity/case_data.h>

namespace tutti::models::parity {

const Json& default_exceptions() {
    static const Json list = Json::parse(
#include <models/parity/exceptions.inc>
    );
    return list;
}

} // namespace tutti::models::parity
