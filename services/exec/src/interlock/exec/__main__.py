from interlock.exec.app import main

main()
