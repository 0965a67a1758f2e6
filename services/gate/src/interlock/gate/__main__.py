from interlock.gate.app import main

main()
