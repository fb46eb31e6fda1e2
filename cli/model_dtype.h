// SPDX-License-Identifier: MIT
// --dtype of a model: which numbers compute, and what this checkpoint's gate said of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <models/nn/kernels.h>
#include <tutti/status.h>

namespace tutti::cli {

struct DtypeChoice {
    models::Compute compute = models::Compute::fp32;
    std::string message; // why it is not what was asked, or that nobody has asked the gate; empty: nothing to say
};

// "float32", "bfloat16", "bf16", "int8", ... None: no such numbers. float16 is storage alone on a CPU and computes in float32.
std::optional<models::Compute> compute_of(const std::string& dtype);
const char* dtype_name(models::Compute compute); // "float32", "bfloat16", "int8"
// `auto` takes the narrowest that passed the gate. Numbers that failed it are not used. Errors: invalid_argument.
Result<DtypeChoice> choose_dtype(const std::string& dtype, const std::filesystem::path& folder);

// Where int8 weights of large models are kept; empty where there is no such folder, or `none`.
std::filesystem::path weight_folder(bool none);

} // namespace tutti::cli
