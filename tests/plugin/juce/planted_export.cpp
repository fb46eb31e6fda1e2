// SPDX-License-Identifier: MIT
// The planted fault of exports.py: an entry point, as a plugin has it, and beside it one symbol too many.
extern "C" {
void* GetPluginFactory();
int tutti_planted_symbol();

void* GetPluginFactory() {
    return nullptr;
}
int tutti_planted_symbol() {
    return 1;
}
}
