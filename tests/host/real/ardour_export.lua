-- SPDX-License-Identifier: MIT
-- ardour7-lua ardour_export.lua FOLDER NAME FRAMES: exports the first frames of the session's master bus as out.wav.
local folder, name, frames = arg[1], arg[2], tonumber (arg[3])
AudioEngine:set_backend ("None (Dummy)", "", "")
local session = load_session (folder, name)
assert (session, "the session cannot be loaded")
for route in session:get_tracks ():iter () do
	local insert = route:nth_plugin (0)
	print ("LATENCY " .. insert:to_insert ():signal_latency () .. " REGIONS " .. route:to_track ():playlist ():region_list ():size ())
end
local export = session:simple_export ()
assert (export:set_preset ("7e0ac6ac-9a3e-4d60-9bd0-5c6d1b9a8f01"), "no export preset")
export:set_name ("out")
export:set_folder (folder)
export:set_range (0, frames)
print ("EXPORT " .. tostring (export:run_export ()))
close_session ()
