from interlock.local_reasoner.app import main

main()
