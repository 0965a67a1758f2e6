from interlock.escalation.app import main

main()
