from interlock.console.app import main

main()
