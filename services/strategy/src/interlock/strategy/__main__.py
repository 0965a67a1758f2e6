from interlock.strategy.app import main

main()
