from interlock.signals.app import main

main()
