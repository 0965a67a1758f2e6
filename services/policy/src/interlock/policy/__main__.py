from interlock.policy.app import main

main()
