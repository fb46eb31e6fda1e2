// SPDX-License-Identifier: MIT
#include "cli/model_dtype.h"

#include <fmt/format.h>

#include <models/whisper/gate_record.h>

namespace tutti::cli {

using models::Compute;

std::optional<Compute> compute_of(const std::string& dtype) {
    if (dtype == "float32" || dtype == "fp32" || dtype == "float16" || dtype == "fp16") return Compute::fp32;
    if (dtype == "bfloat16" || dtype == "bf16") return Compute::bf16;
    if (dtype == "int8") return Compute::int8;
    return std::nullopt;
}

const char* dtype_name(Compute compute) {
    return compute == Compute::int8 ? "int8" : compute == Compute::bf16 ? "bfloat16" : "float32";
}

Result<DtypeChoice> choose_dtype(const std::string& dtype, const std::filesystem::path& folder) {
    DtypeChoice choice;
    if (dtype == "auto") {
        for (const Compute compute : {Compute::int8, Compute::bf16})
            if (const auto record = models::find_gate_record(folder, compute); record && record->passed) {
                choice.compute = compute;
                break;
            }
        return choice;
    }
    const auto asked = compute_of(dtype);
    if (!asked)
        return Status(Code::invalid_argument, "--dtype " + dtype + " is unknown", "nothing was transcribed",
                      "use float32, bfloat16, int8 or auto");
    choice.compute = *asked;
    if (dtype == "float16" || dtype == "fp16") choice.message = "float16 is computed in float32 on a CPU";
    if (*asked == Compute::fp32) return choice;
    const auto record = models::find_gate_record(folder, *asked);
    if (!record) {
        choice.message =
            fmt::format("{} was never checked on this checkpoint: tutti models validate DIR --dtype {} --speech FOLDER",
                        dtype_name(*asked), dtype_name(*asked));
    } else if (!record->passed) {
        const auto other = models::find_gate_record(folder, Compute::bf16);
        choice.compute = *asked == Compute::int8 && other && other->passed ? Compute::bf16 : Compute::fp32;
        choice.message = fmt::format("{} did not pass on this checkpoint ({}); {} is used", dtype_name(*asked),
                                     record->text(), dtype_name(choice.compute));
    }
    return choice;
}

std::filesystem::path weight_folder(bool none) {
    const auto cache = models::cache_folder();
    return none || !cache ? std::filesystem::path() : *cache / "weights";
}

} // namespace tutti::cli
