SIGNAL jailbreak jb { threshold: 0.8 }
SIGNAL domain math {}
DECISION_TREE t {
  IF jailbreak("jb") { NAME "block" MODEL "tiny" PLUGIN fast_response { message: "No." } }
  ELSE IF domain("math") { MODEL "mathy" TIER 2 }
  ELSE { MODEL "base" }
}
