from interlock.ledger.app import main

main()
